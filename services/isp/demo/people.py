"""Invented customers. The Spanish towns are real, everybody in them is not."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from services.isp.demo.draws import Row, instant, later, near, pick


class Town(NamedTuple):
    """A town of the pick list `cities`; its centre is in degrees (WGS 84)."""

    city: str
    postalcode: str
    latitude: float
    longitude: float
    code: str
    localities: tuple[str, ...] = ()


TOWNS: Final[dict[str, tuple[Town, ...]]] = {
    "pim": (
        Town("Coslada, Madrid", "28821", 40.4238, -3.5613, "COS", ("Barrio del Puerto", "La Espinilla")),
        Town("San Fernando de Henares, Madrid", "28830", 40.4256, -3.5329, "SFH"),
        Town("Mejorada del Campo, Madrid", "28840", 40.3957, -3.4869, "MEJ"),
        Town("Torrejón de Ardoz, Madrid", "28850", 40.4593, -3.4697, "TOR", ("Soto del Henares",)),
    ),
    "cpe": (
        Town("La Roda de Andalucía, Sevilla", "41590", 37.2028, -4.7786, "ROD"),
        Town("Estepa, Sevilla", "41560", 37.2923, -4.8790, "EST"),
        Town("Osuna, Sevilla", "41640", 37.2372, -5.1030, "OSU", ("El Puerto de la Encina",)),
        Town("Puente Genil, Córdoba", "14500", 37.3895, -4.7668, "PGE", ("Miragenil",)),
    ),
    "swt": (
        Town("Espinardo, Murcia", "30100", 38.0094, -1.1532, "ESP"),
        Town("Molina de Segura, Murcia", "30500", 38.0548, -1.2076, "MOL", ("La Alcayna",)),
        Town("Orihuela, Alicante", "03300", 38.0848, -0.9440, "ORI", ("Raiguero de Bonanza",)),
    ),
}

_GIVEN = (
    "Adela", "Adrián", "Aitana", "Álvaro", "Amparo", "Andrés", "Antía", "Begoña", "Belén", "Bruno",
    "Camila", "Candela", "Carmelo", "Clara", "Damián", "Daría", "Elías", "Elvira", "Emilio", "Érica",
    "Esteban", "Fátima", "Fermín", "Gádor", "Gema", "Gonzalo", "Héctor", "Hugo", "Inés", "Iñaki", "Íñigo",
    "Irene", "Jacinto", "Jimena", "Joaquín", "Julia", "Laia", "Leandro", "Leonor", "Lorenzo", "Lucía",
    "Macarena", "Marcos", "Marina", "Martín", "Mireia", "Nadia", "Nicolás", "Noa", "Núria", "Olivia",
    "Óscar", "Paloma", "Pelayo", "Quique", "Raquel", "Rocío", "Rodrigo", "Salvador", "Saúl", "Silvia",
    "Tomás", "Úrsula", "Valeria", "Vicente", "Ximena", "Yago", "Zoe",
)  # fmt: skip

_SURNAMES = (
    "Acedo", "Alarcón", "Almansa", "Arévalo", "Ávila", "Barragán", "Bermejo", "Bustos", "Cabezas",
    "Calatrava", "Castaño", "Cebrián", "Cifuentes", "Collado", "Corrales", "Cuadrado", "Dávila", "Escudero",
    "Espinosa", "Figueroa", "Frías", "Galán", "Garrido", "Guijarro", "Herrador", "Hontoria", "Ibáñez",
    "Jurado", "Lara", "Ledesma", "Luján", "Madrigal", "Manzano", "Merino", "Molinero", "Montalbán", "Muñoz",
    "Navajas", "Núñez", "Olmedo", "Ordóñez", "Palacín", "Pedraza", "Peñalver", "Quirós", "Rebollo", "Ríos",
    "Rosales", "Saldaña", "Santolalla", "Segura", "Solís", "Tejedor", "Toledano", "Urbina", "Valdés",
    "Valverde", "Vergara", "Villalba", "Yáñez", "Zamorano",
)  # fmt: skip

_TRADES = (
    "Panadería", "Talleres", "Farmacia", "Ferretería", "Clínica Dental", "Asesoría", "Bar", "Hostal",
    "Academia", "Almazara", "Viveros", "Carpintería", "Residencia", "Imprenta", "Autoescuela",
)  # fmt: skip

_SIGNS = (
    "La Espiga", "El Olivar", "Tres Caminos", "La Ñora", "Buenavista", "Los Álamos", "El Cigüeñal",
    "Las Norias", "San Telmo", "El Pozo", "La Alameda", "Puerta Nueva", "Río Seco", "El Faro",
)  # fmt: skip

_STREETS = (
    "Calle Mayor", "Calle del Pozo", "Calle Nueva", "Avenida de la Constitución", "Calle Real",
    "Plaza de España", "Calle Cervantes", "Camino Viejo", "Calle de la Iglesia", "Calle Las Eras",
    "Avenida de la Estación", "Calle Sol", "Ronda Norte", "Calle Argentina", "Calle Perú",
    "Travesía del Molino", "Calle Olmo",
)  # fmt: skip

_COMMENTS = (
    "Llamar por las tardes.", "Contactar por correo.", "El técnico debe avisar media hora antes.",
    "Portero averiado: llamar al móvil.", "Cliente desde la red antigua.",
)  # fmt: skip


def customer(random: Random, id_: int, realm: str, town: Town, when: float) -> Row:
    """A row of `customers`, created at `when` (seconds since the epoch)."""
    name, surname = _name(random)
    located = random.random() < 0.2
    return {
        "id": id_,
        "name": name,
        "surname": surname,
        "comment": pick(random, _COMMENTS) if random.random() < 0.1 else "",
        "address": address(random),
        "city": town.city,
        "country": "Spain",
        "locality": pick(random, town.localities) if town.localities and random.random() < 0.3 else "",
        "latitude": near(random, town.latitude) if located else None,
        "longitude": near(random, town.longitude) if located else None,
        "postalcode": town.postalcode,
        "external_id": f"C-{id_:06d}" if random.random() < 0.7 else None,
        "realm": realm,
        "created": instant(when),
        "updated": instant(later(random, when)),
    }


def address(random: Random) -> str:
    """A street and number, for half of them a floor and door too."""
    street = f"{pick(random, _STREETS)} nº {int(random.random() * 90) + 1}"
    if random.random() < 0.5:
        return street
    return f"{street} {int(random.random() * 6) + 1}º{pick(random, 'ABCD')}"


def _name(random: Random) -> tuple[str, str]:
    """Name and surname of a person, or the name of a business, which has no surname."""
    if random.random() < 0.08:
        return f"{pick(random, _TRADES)} {pick(random, _SIGNS)}", ""
    return pick(random, _GIVEN), f"{pick(random, _SURNAMES)} {pick(random, _SURNAMES)}"
