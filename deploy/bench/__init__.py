"""What `onethread bench` measures and how: a stack of its own, realistic events, every figure beside a floor."""
