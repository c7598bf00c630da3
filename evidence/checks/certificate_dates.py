"""Until when was the certificate valid that probes saw last? A failed handshake shows none, the one before does."""

from dataclasses import dataclass
from datetime import UTC, datetime

from domain.connections import BlackboxDecl
from domain.errors import Refused
from domain.text import Text
from evidence.blackbox_targets import ProbeTarget, own_targets
from evidence.check import Ask, Check, Measure, MeasureResult
from evidence.clients.prometheus import Line, matcher
from evidence.onset import fault_end_ms, onset_ms
from evidence.pods import about_probes

EXPIRY = "probe_ssl_earliest_cert_expiry"
# Let's Encrypt renews 30 days before; alerts for less than that mean that the renewal does not run.
SOON_S = 30 * 86_400
STEP_S = 60


@dataclass(frozen=True, slots=True)
class _Dated:
    """A target, and when the certificate that it showed last before the fault's end runs out (epoch seconds)."""

    name: str
    expires_s: float

    @property
    def day(self) -> str:
        """The date, UTC."""
        return f"{datetime.fromtimestamp(self.expires_s, UTC):%Y-%m-%d %H:%M}"


def _collect(ask: Ask) -> dict[str, MeasureResult]:
    dated = _dated(ask)
    first = min(dated, key=lambda d: (d.expires_s, d.name))
    end_s = fault_end_ms(ask.scope) / 1000
    return {"probe-cert-expired": _expired(first, end_s), "probe-cert-expires-soon": _soon(first, end_s)}


def _dated(ask: Ask) -> list[_Dated]:
    """Raises Refused where no probe of the incident saw a certificate."""
    found = [dated for exporter in ask.scope.connections.blackbox for dated in _dated_by(ask, exporter)]
    if not found:
        raise Refused(Text("no probe of the incident's targets saw a certificate ({metric})", metric=EXPIRY))
    return found


def _dated_by(ask: Ask, exporter: BlackboxDecl) -> list[_Dated]:
    server = ask.prometheus(exporter.prometheus)
    if server is None:
        return []
    lines = ask.range(server, f"{EXPIRY}{{{matcher(exporter.selector)}}}", step_s=STEP_S).lines
    with ask.aside():
        own = own_targets(ask, exporter) if lines else []
    return [_Dated(target.name, last) for target in own if (last := _last(lines, target, ask))]


def _last(lines: tuple[Line, ...], target: ProbeTarget, ask: Ask) -> float:
    """The last date before the end of the fault; 0 where there is none. A gap in the series is a failed handshake."""
    own = [x for x in lines if all(x.labels.get(k) == target.labels.get(k) for k in ("instance", "job", "module"))]
    values = [v for line in own for v in line.between(0, fault_end_ms(ask.scope))]
    early = [v for line in own for v in line.between(0, onset_ms(ask.scope))]
    return (early or values or [0.0])[-1]


def _expired(dated: _Dated, end_s: float) -> MeasureResult:
    left_s = dated.expires_s - end_s
    yes = Text("The certificate of {name} ran out at {day} UTC.", name=dated.name, day=dated.day)
    no = Text("The certificate of {name} is valid until {day} UTC.", name=dated.name, day=dated.day)
    return MeasureResult(left_s <= 0, yes if left_s <= 0 else no, left_s, 0, dated.name)


def _soon(dated: _Dated, end_s: float) -> MeasureResult:
    left_s = dated.expires_s - end_s
    seen = 0 < left_s <= SOON_S
    days = Text(
        "The certificate of {name} is valid for {days:.1f} days more, until {day} UTC.",
        name=dated.name,
        days=left_s / 86_400,
        day=dated.day,
    )
    over = Text("The certificate of {name} ran out at {day} UTC.", name=dated.name, day=dated.day)
    return MeasureResult(seen, days if left_s > 0 else over, left_s, SOON_S, dated.name)


CHECK = Check(
    "certificate-dates",
    Text("Until when is the certificate valid?"),
    (
        Measure("probe-cert-expired", Text("Had the certificate expired?"), "s"),
        Measure("probe-cert-expires-soon", Text("Does the certificate expire within 30 days?"), "s"),
    ),
    about_probes,
    _collect,
    needs=("blackbox", "prometheus"),
    cost=2,
    metrics=(EXPIRY,),
)
