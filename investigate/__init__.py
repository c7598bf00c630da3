"""One look at one incident: what is asked, what was similar, which causes rank, and the recording of it all."""
