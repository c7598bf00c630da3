"""What other rooms may listen to, so that the record need not know them."""

from django.dispatch import Signal

# An incident changed in a way that people are told of. Arguments: incident, now. Sent inside the transaction of the
# change, so that what a receiver writes is there exactly when the change is.
incident_changed = Signal()
