import keras

from kerasseq import convert

layers = keras.layers


def test_reasons():
    model = keras.Sequential(
        [
            keras.Input((4, 3)),
            layers.LSTM(2, return_sequences=True, name="fused"),
            layers.LSTM(2, return_sequences=True, activation="relu", name="relu"),
            layers.GRU(2, return_sequences=True, name="gru"),
            layers.Bidirectional(
                layers.LSTM(2, recurrent_activation="hard_sigmoid", name="both")
            ),
        ]
    )
    sigmoid = (
        "recurrent_activation is hard_sigmoid, the fused LSTM supports only sigmoid"
    )
    assert dict(convert.unfused_layers(model)) == {
        "relu": "activation is relu, the fused LSTM supports only tanh",
        "gru": "only LSTMCell can be fused, not GRUCell",
        "forward_both": sigmoid,
        "backward_both": sigmoid,
    }


def test_cells():
    cells = [layers.LSTMCell(2), layers.SimpleRNNCell(3)]
    rnn = layers.RNN(cells, return_state=True, name="x")
    inputs = keras.Input((4, 3))
    model = keras.Model(inputs, rnn(inputs))
    reason = "only LSTMCell can be fused, not SimpleRNNCell"
    assert convert.unfused_layers(model) == [("x", reason)]
