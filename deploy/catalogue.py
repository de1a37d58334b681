"""`krill events catalogue`: the events that there are, as Markdown, made from the contracts' event classes.

`docs/events.md` is what this prints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from services.common.contract import Contract
    from services.common.events.event import Event

INTRODUCTION = """# Events

<!-- Printed by `krill events catalogue > docs/events.md`; change the classes instead. -->

Every change that a service commits, and every action on a device, is told by an event. The event is written
in the transaction of the change: there is no change without its event and no event without its change. The
same catalogue for programs is the AsyncAPI 3 document at `/api/v2/asyncapi.json`.

## How they travel

| | |
|---|---|
| exchange | `<service>.events`, topic, durable: {exchanges} |
| routing key | the event's type, `cpe.updated`. Bind with `cpe.updated`, `cpe.*`, or `#` for all |
| body | CloudEvents 1.0 in its JSON form, content type `{content_type}`, UTF-8 |
| AMQP properties | persistent; `message_id` is the envelope's `id`, `type` its type, `app_id` the service |
| queue | yours: durable, quorum. With `x-single-active-consumer` several instances keep the order |

- **At least once.** An event counts as sent when the broker has confirmed it, so a crash can send it again,
  with the same `id`. Write the `id` in the transaction in which you handle the event, and skip an event whose
  `id` is there already. Acknowledge after the commit.
- **In order, per subject.** Events of one `subject` are published in the order of their `sequence`, which is
  that of their commits. Different subjects have no order between them. A `sequence` not above the last one
  that you applied is old news.
- **State, not difference.** An event of a row has the whole row as it is after the change, without its
  secrets; `changed` names what an update changed. Applying the last event of a subject gives its state.
- **Realms.** `realm` is the tenant. An event without one is of what realms share; when its row has `realms`,
  it is for those.
- **Growing.** A class gains members that may be absent, and a closed list gains values: ignore what you do
  not know. A member never goes, never changes its type and never becomes nullable. What would break a
  subscriber is another type.
- **Also over HTTP.** `GET /api/v2/<service>/events/?after=<cursor>` answers the same envelopes: for
  subscribers without AMQP, and for those that start or fell behind. Sent events stay there {days:g} days
  (`KRILL_EVENT_DAYS`).

### In one process

`krill run` has no broker. Its events reach the subscriptions inside the process, at least once and in the
same order, and survive kills in its database. What it does not promise: they reach **no other process, and
there is no AMQP** to subscribe to. The feed is there.

## The envelope
"""


def print_catalogue() -> None:
    """Print the catalogue of events, in Markdown."""
    from gateway.routes import discovered

    print(catalogue(discovered()), end="")


def catalogue(contracts: Iterable[Contract]) -> str:
    from services.common.events.envelope import CONTENT_TYPE, exchange
    from services.common.events.schemas import ENVELOPE
    from services.common.settings import Settings

    telling = [one for one in contracts if one.catalogue]
    days = Settings.model_fields["event_days"].default
    exchanges = ", ".join(f"`{exchange(one.name)}`" for one in telling)
    parts = [INTRODUCTION.format(exchanges=exchanges, content_type=CONTENT_TYPE, days=days)]
    parts += _members(ENVELOPE, "attribute")
    for contract in telling:
        parts += _service(contract)
    return "\n".join(parts) + "\n"


def _service(contract: Contract) -> Iterator[str]:
    from services.common.events.envelope import exchange

    yield f"\n## {contract.name}: {contract.title}\n"
    yield f"{contract.doc} Exchange `{exchange(contract.name)}`.\n"
    yield from _table("type", "version", "subject", "what it tells")
    for kind in contract.catalogue.values():
        link = f"[`{kind.type}`](#{_anchor(kind)})"
        yield _row(link, str(kind.version), f"`{kind.subject}/<id>`", kind.doc)
    for kind in contract.catalogue.values():
        yield from _event(contract, kind)


def _event(contract: Contract, kind: type[Event]) -> Iterator[str]:
    from services.common.events.event import dataschema
    from services.common.events.sample import sample
    from services.common.events.schemas import of_data

    yield f"\n### {kind.type}\n"
    yield f"{kind.doc} Version {kind.version}, `{dataschema(contract.name, kind.type, kind.version)}`.\n"
    yield from _members(of_data(kind), "member")
    example = orjson.dumps(sample(contract.name, kind).to_json(), option=orjson.OPT_INDENT_2).decode()
    yield f"\n<details><summary>Sample</summary>\n\n```json\n{example}\n```\n\n</details>"


def _members(schema: dict[str, Any], title: str) -> Iterator[str]:
    required = schema.get("required", ())
    yield from _table(title, "type", "null", "meaning")
    for name, one in schema.get("properties", {}).items():
        kinds = [each for each in one.get("anyOf", (one,)) if each != {"type": "null"}]
        type_ = " or ".join(_type(each) for each in kinds)
        null = "yes" if len(kinds) < len(one.get("anyOf", (one,))) else ""
        absent = "" if name in required else "may be absent"
        yield _row(f"`{name}`", type_, null, "; ".join(filter(None, (one.get("description"), absent))))


def _type(schema: dict[str, Any]) -> str:
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "anything")


def _table(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield "|" + "---|" * len(titles)


def _row(*cells: str) -> str:
    return "| " + " | ".join(one.replace("|", "\\|") for one in cells) + " |"


def _anchor(kind: type[Event]) -> str:
    """As the usual renderers make it of a heading."""
    return kind.type.replace(".", "")
