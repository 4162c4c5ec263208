"""Models that Keras 2 (tf.keras, tf_keras) wrote become models of Keras 3."""
