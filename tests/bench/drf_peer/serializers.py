"""Serializers that give the platform's v2 bodies: the same members in the same order.

In its favour: with `attrs` the fields that nobody asked for are never built, computed members come from
plain functions, and all that is nested was fetched by the view's queryset.
"""

from typing import Any

from rest_framework import serializers

from tests.bench import wire
from tests.bench.drf_peer.models import Cpe, Customer, Pots


class CustomerSerializer(serializers.ModelSerializer):
    class Meta:
        model = Customer
        fields = wire.CUSTOMER_MEMBERS


class PotsSerializer(serializers.ModelSerializer):
    contextname = serializers.ReadOnlyField()
    lineid = serializers.ReadOnlyField()

    class Meta:
        model = Pots
        fields = wire.POTS_MEMBERS


class CpeSerializer(serializers.ModelSerializer):
    """Context: `attrs`, the names wanted (empty: all), and `joins`, the names to embed."""

    cpename = serializers.CharField(source="internal_id", read_only=True)
    has_tr069 = serializers.BooleanField(source="model.tr069", read_only=True)
    _links = serializers.SerializerMethodField()
    _services = serializers.SerializerMethodField()
    avatar = serializers.CharField(source="model.avatar", read_only=True)
    is_router = serializers.BooleanField(read_only=True)
    tr069 = serializers.BooleanField(source="model.tr069", read_only=True)

    class Meta:
        model = Cpe
        fields = wire.CPE_MEMBERS
        read_only_fields = ("internal_id", "tech_updated")

    def get_field_names(self, declared_fields: Any, info: Any) -> Any:
        names = super().get_field_names(declared_fields, info)
        wanted = self.context["attrs"] | self.context["joins"]
        return [name for name in names if name in wanted] if self.context["attrs"] else names

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        if "customer" in self.context["joins"]:
            fields["customer"] = CustomerSerializer(read_only=True)
        if "potses" in self.context["joins"]:
            fields["potses"] = PotsSerializer(many=True, read_only=True)
        return fields

    def get__links(self, cpe: Cpe) -> dict[str, dict[str, str]]:
        return wire.links(
            cpe.id,
            bitstream=cpe.is_bitstream,
            tr069=cpe.model.tr069,
            diagnostics=cpe.model.diagnostics,
            bridge=cpe.bridge,
            no_provision=cpe.disable_provision,
            no_reconfig=cpe.disable_reconfig,
        )

    def get__services(self, cpe: Cpe) -> list[str]:
        return wire.services(cpe.tech, cpe.model.tr069, cpe.is_bitstream, cpe.voice_ports)
