"""What an actor may see."""
