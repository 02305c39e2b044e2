"""The parts of an environment, one component resource a file, with the pure logic beside them."""
