"""The front end of models on TensorFlow: SavedModel and TensorFlow's converter."""
