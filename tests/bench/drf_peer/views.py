"""`/api/v2/isp/cpes/`: a model view set, narrowed to the realms of its user.

In its favour: joins and prefetches only for what the request shows, `only()` for the columns that
`attrs` names, a declared filter set (the automatic one is built anew on every request) with six
filters where the platform has one for each field.
"""

from functools import cached_property
from typing import Any

from django.db.models import Prefetch, QuerySet
from django_filters import rest_framework as filters
from rest_framework.viewsets import ModelViewSet

from tests.bench.drf_peer.models import Cpe, Pots
from tests.bench.drf_peer.serializers import CpeSerializer

FROM_MODEL = frozenset(("has_tr069", "tr069", "avatar", "is_router", "_links", "_services"))
"""Members that need the row of the device model."""

COLUMNS = {"cpename": "internal_id"} | {
    name: name
    for name in (field.name for field in Cpe._meta.concrete_fields)
    if name in CpeSerializer.Meta.fields
}
"""Member → the one column that it takes."""


class CpeFilter(filters.FilterSet):
    customer = filters.NumberFilter(field_name="customer_id")

    class Meta:
        model = Cpe
        fields = ("sn", "external_id", "realm", "topology", "tech", "customer")


class CpeViewSet(ModelViewSet):
    queryset = Cpe.objects.order_by("id")
    serializer_class = CpeSerializer
    filterset_class = CpeFilter

    def _names(self, parameter: str) -> frozenset[str]:
        return frozenset(filter(None, self.request.query_params.get(parameter, "").split(",")))

    @cached_property
    def attrs(self) -> frozenset[str]:
        return self._names("attrs")

    @cached_property
    def joins(self) -> frozenset[str]:
        return self._names("joins")

    def get_serializer_context(self) -> dict[str, Any]:
        return super().get_serializer_context() | {"attrs": self.attrs, "joins": self.joins}

    def get_queryset(self) -> QuerySet[Cpe]:
        rows = super().get_queryset().filter(realm__in=self.request.user.realms)
        if self.attrs and self.attrs <= COLUMNS.keys() and not self.joins:
            return rows.only(*(COLUMNS[name] for name in self.attrs))
        if not self.attrs or self.attrs & FROM_MODEL:
            rows = rows.select_related("model")
        if "customer" in self.joins:
            rows = rows.select_related("customer")
        if "potses" in self.joins:
            rows = rows.prefetch_related(
                Prefetch("potses", queryset=Pots.objects.select_related("context").order_by("order"))
            )
        return rows
