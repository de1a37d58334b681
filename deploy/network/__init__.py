"""`krill gpon …` and `krill docsis …`: the network on a terminal, by the HTTP API alone."""
