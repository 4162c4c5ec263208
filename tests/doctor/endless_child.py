"""The child of an examination that never ends."""

import time

if __name__ == "__main__":
    time.sleep(600)
