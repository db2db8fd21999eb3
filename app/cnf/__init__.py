"""What the page of continuous flows shows, section by section; the page itself holds the order and the words."""
