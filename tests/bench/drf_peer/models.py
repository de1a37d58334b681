"""The platform's tables as unmanaged models, and the peer's own users.

In its favour: columns that no answer needs (`version`, `locality`, most of a device model) are not
declared, so that Django neither fetches nor converts them.
"""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models


class User(AbstractBaseUser):
    """Its realms lie in an array of the row: authentication and scope cost one query together."""

    username = models.CharField(max_length=150, unique=True)
    realms = ArrayField(models.CharField(max_length=32), default=list)
    is_active = models.BooleanField(default=True)

    objects = BaseUserManager()
    USERNAME_FIELD = "username"


class Customer(models.Model):
    name = models.CharField(max_length=255)
    surname = models.CharField(max_length=255, default="", blank=True)
    comment = models.TextField(default="", blank=True)
    realm = models.CharField(max_length=32)
    address = models.CharField(max_length=255, default="", blank=True)
    city = models.CharField(max_length=128, default="", blank=True)
    postalcode = models.CharField(max_length=16, null=True)
    country = models.CharField(max_length=64, null=True)
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)
    external_id = models.CharField(max_length=256, null=True)
    latitude = models.DecimalField(max_digits=10, decimal_places=7, null=True)
    longitude = models.DecimalField(max_digits=10, decimal_places=7, null=True)

    class Meta:
        managed = False
        db_table = "customers"


class CpeModel(models.Model):
    id = models.CharField(max_length=64, primary_key=True)
    is_router = models.BooleanField(default=True)
    tr069 = models.BooleanField(default=False)
    diagnostics = models.BooleanField(default=False)
    avatar = models.CharField(max_length=32, null=True)

    class Meta:
        managed = False
        db_table = "models"


class CpeProfile(models.Model):
    name = models.CharField(max_length=128)

    class Meta:
        managed = False
        db_table = "cpe_profiles"


class Context(models.Model):
    name = models.CharField(max_length=64)

    class Meta:
        managed = False
        db_table = "contexts"


class Cpe(models.Model):
    internal_id = models.CharField(max_length=64, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="cpes")
    model = models.ForeignKey(CpeModel, on_delete=models.PROTECT, related_name="+")
    profile = models.ForeignKey(CpeProfile, on_delete=models.PROTECT, related_name="+", null=True)
    access = models.BooleanField(default=True)
    active = models.BooleanField(default=True)
    bridge = models.BooleanField(default=False)
    disable_provision = models.BooleanField(default=False)
    disable_reconfig = models.BooleanField(default=False)
    enable_notifications = models.BooleanField(default=False)
    external_voip = models.BooleanField(default=False)
    is_bitstream = models.BooleanField(default=False)
    probe = models.BooleanField(default=False)
    tech = models.CharField(max_length=16)
    address = models.CharField(max_length=255, default="", blank=True)
    address_profile = models.CharField(max_length=16, null=True)
    city = models.CharField(max_length=128, default="", blank=True)
    country = models.CharField(max_length=64, null=True)
    created = models.DateTimeField(auto_now_add=True)
    expiration_date = models.DateField(null=True)
    dsn = models.CharField(max_length=64, null=True)
    external_id = models.CharField(max_length=256, null=True)
    fixed_address = models.CharField(max_length=15, null=True)
    lan_cidr = models.CharField(max_length=18, null=True)
    latitude = models.DecimalField(max_digits=10, decimal_places=7, null=True)
    line_profile = models.CharField(max_length=64, null=True)
    longitude = models.DecimalField(max_digits=10, decimal_places=7, null=True)
    mac = models.CharField(max_length=12, null=True)
    me_vlan = models.IntegerField(null=True)
    mtamac = models.CharField(max_length=12, null=True)
    notes = models.TextField(default="", blank=True)
    postalcode = models.CharField(max_length=16, null=True)
    pppoe_password = models.CharField(max_length=128, default="", blank=True)
    pppoe_username = models.CharField(max_length=128, null=True)
    realm = models.CharField(max_length=32)
    remote_id = models.CharField(max_length=30, null=True)
    sn = models.CharField(max_length=16, null=True)
    tech_updated = models.DateTimeField(null=True)
    topology = models.CharField(max_length=128, default="", blank=True)
    tv_profile = models.CharField(max_length=64, null=True)
    updated = models.DateTimeField(auto_now=True)
    voice_ports = models.CharField(max_length=255, default="", blank=True)
    voip_profile = models.CharField(max_length=64, null=True)
    wanmac = models.CharField(max_length=12, null=True)
    wifi_password = models.CharField(max_length=128, default="", blank=True)
    wifi_profile = models.CharField(max_length=64, null=True)
    wifi_ssid = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        managed = False
        db_table = "cpes"

    @property
    def is_router(self) -> bool:
        return self.model.is_router and not self.bridge


class Pots(models.Model):
    cpe = models.ForeignKey(Cpe, on_delete=models.CASCADE, related_name="potses")
    order = models.IntegerField()
    cli = models.CharField(max_length=16, null=True, unique=True)
    context = models.ForeignKey(Context, on_delete=models.PROTECT, related_name="+", null=True)
    custom_digitmap = models.CharField(max_length=1024, null=True)
    dtmf = models.CharField(max_length=16, default="auto")
    label = models.CharField(max_length=30, null=True)
    language = models.CharField(max_length=2, null=True)
    username = models.CharField(max_length=128, null=True)
    password = models.CharField(max_length=128, null=True)
    pbx_extension = models.BooleanField(default=False)
    voicemail = models.BooleanField(default=False)
    voicemail_password = models.CharField(max_length=8, null=True)

    class Meta:
        managed = False
        db_table = "potses"

    @property
    def contextname(self) -> str | None:
        return self.context.name if self.context_id else None

    @property
    def lineid(self) -> str:
        return f"{self.cpe.internal_id}-{self.order}"
