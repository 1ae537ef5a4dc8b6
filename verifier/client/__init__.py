"""The client: items in, verdicts out, from any trainer.

Needs grpc and protobuf only. Blocking:

    items = [Item(response=text, math={"gold": ["42"]}) for text in responses]
    with VerifierClient("127.0.0.1:50051") as client:
        verdicts = client.verify(items)          # verdicts[i] is that of items[i]
        values = rewards(verdicts, "mask")

(`gold` is a list: protobuf takes a bare string for the list of its characters),
and the same under asyncio with `AsyncVerifierClient`. Items travel in batches;
what a call that broke off or was refused had not answered is sent again, to
whichever replica is there.

Invariants: exactly one verdict for each item, at its place, or an error that
holds those that did come; a failed verification never turns into a reward
unless the caller asks for it by name (`on_failure="zero"`); a token is in no
message and no repr.

    reach.py    addresses, TLS, token, what a client says of itself; environment variables
    batch.py    items in calls, and which of them are unanswered
    resend.py   which failures are tried again, when, and for how long
    calls.py    the two clients
    rewards.py  verdicts to rewards
"""

from verifier.client.batch import BrokenAnswer
from verifier.client.calls import AsyncVerifierClient, VerifierClient
from verifier.client.reach import Priority, Tls
from verifier.client.resend import ServiceError
from verifier.client.rewards import OnFailure, Rewards, VerificationFailed, rewards
from verifier.v1.verifier_pb2 import Item, Verdict

__all__ = [
    "AsyncVerifierClient",
    "BrokenAnswer",
    "Item",
    "OnFailure",
    "Priority",
    "Rewards",
    "ServiceError",
    "Tls",
    "Verdict",
    "VerificationFailed",
    "VerifierClient",
    "rewards",
]
