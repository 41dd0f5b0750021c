"""Reading model files that no one here made, without executing anything in them and without torch.

- ``container.py``: the kind of file by its first bytes, and ``read_checkpoint``;
- ``machine.py``: a pickle machine that can only make plain values and inert records; ``opcodes.py``: its steps;
- ``vocabulary.py``: the names that files may use, and the data that each becomes;
- ``archives.py``: zip archives, checked before anything is unfolded; ``numpy_files.py``: those of arrays (``.npz``);
- ``torch_files.py``: torch.save's archives and streams;
- ``safe_tensors.py``: safetensors, gandream's own container;
- ``networks.py``: from contents to tensors by dotted name; ``derived.py``: tensors made of others;
- ``values.py``: whether their numbers are numbers;
- ``tensorflow.py``: the networks of TensorFlow days; ``theano.py``: those before them;
- ``records.py``: what all of these hand to each other.
"""

from gandream.models.checkpoint.container import Checkpoint, read_checkpoint
from gandream.models.checkpoint.networks import Network
from gandream.models.checkpoint.records import StoredTensor

__all__ = ["Checkpoint", "Network", "StoredTensor", "read_checkpoint"]
