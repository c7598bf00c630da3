module incident-graph.invalid/lab/service

go 1.22
