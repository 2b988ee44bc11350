"""The protocols, the record, the registry and the loop; every other unit meets here."""
