"""How services speak to devices: clients of their protocols, and when they are asked."""
