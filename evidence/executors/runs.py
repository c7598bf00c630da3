"""Lets the declared executor run an action: admitted once per investigation and cluster, one at a time, audited."""

import threading

from domain.connections import EtcdDecl
from domain.errors import Refused
from domain.secrets import ReadSecret
from evidence.executors import all_executors
from evidence.executors.executor import ACTIONS, REST_S, Permit, Ran, RunRecord


class Runs:
    """The runs of one investigation. All methods raise Refused with the remedy where nothing may run."""

    def __init__(self, permit: Permit) -> None:
        self._permit, self._lock = permit, threading.Lock()
        self._admitted: dict[str, bool] = {}

    def __call__(self, etcd: EtcdDecl, action: str, read: ReadSecret) -> Ran:
        """Runs one action of the table and reports it to the audit trail, also when it was killed."""
        executor, chosen = all_executors().get(etcd.executor), ACTIONS.get(action)
        if executor is None:
            raise Refused(
                f"etcd {etcd.name} declares no executor; set `executor` to one of {', '.join(all_executors())}"
            )
        if chosen is None:
            raise Refused(f"`{action}` is not in the table of actions that only read")
        with self._lock:
            if etcd.name not in self._admitted:
                self._admitted[etcd.name] = self._permit.admit(etcd.name, REST_S)
            if not self._admitted[etcd.name]:
                raise Refused(f"etcd {etcd.name} was asked by a program less than {REST_S:.0f} s ago; it rests")
            ran = executor.run(etcd, chosen, read)
            self._permit.audit(RunRecord(executor.slug, etcd.name, action, self._permit.incident, ran))
        return ran
