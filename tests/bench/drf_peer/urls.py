"""Routes of the peer: the CPEs and the login."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter
from rest_framework_simplejwt.views import TokenObtainPairView

from tests.bench.drf_peer.views import CpeViewSet

router = SimpleRouter()
router.register("cpes", CpeViewSet)

urlpatterns = [
    path("api/v2/isp/", include(router.urls)),
    path("api/v2/auth/login/", TokenObtainPairView.as_view()),
]
