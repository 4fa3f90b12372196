"""An invented province for trying the platform out. Every name is made up and says so; programmes are the synthetic DEMO ones."""
