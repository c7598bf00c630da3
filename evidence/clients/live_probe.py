"""Asks for a probe of a declared target, live or as it was recorded."""

import httpx
import msgspec

from domain.connections import ProbeTargetDecl
from domain.errors import Malformed, Unreachable
from domain.text import Text
from evidence.clients.probing import Outcome
from evidence.recording import Transports

# The address of the target in a request that never leaves as such.
NOWHERE = "http://target.invalid"
# Made here, in one thread: types that several threads meet for the first time at once may crash the decoder.
READER = msgspec.json.Decoder(Outcome)


def probe(target: ProbeTargetDecl, transports: Transports) -> Outcome:
    """Probes the target once. Raises Unreachable or Malformed only when the recording of a probe is broken."""
    with transports.client(target.name, NOWHERE, target) as client:
        try:
            return READER.decode(client.request("PROBE", "/").content)
        except httpx.HTTPError as error:
            raise Unreachable(
                Text("the probe of {name} did not end ({error})", name=target.name, error=type(error).__name__)
            ) from error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Malformed(f"what was kept of the probe of {target.name} is not its outcome") from error
