"""Lets a torchvision that was built for CUDA be imported beside a torch for CPUs.

Its compiled operators do not load there, and the module then fails where it refers to two of them.
SGLang imports torchvision but calls neither, so their names are declared, without a body, just
before. Loaded at start-up by touchstone_torchvision.pth.
"""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any


class _BeforeTorchvision(MetaPathFinder):
    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname == "torchvision":
            sys.meta_path.remove(self)
            import torch

            for name in ("nms", "qnms"):
                torch.library.define(
                    f"torchvision::{name}",
                    "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
                )
        return None  # the usual finders find it


sys.meta_path.insert(0, _BeforeTorchvision())
