"""The services of AWS that moto plays, and how they are tied to the ones that are our own."""
