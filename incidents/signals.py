"""Django signals of the record, for rooms that the record must not import."""

from django.dispatch import Signal

# An incident changed in a way that targets are notified of. Arguments: incident, now. Sent inside the transaction of
# the change, so that the receiver's rows are committed with the change or not at all.
incident_changed = Signal()
