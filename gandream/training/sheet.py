from __future__ import annotations
from pathlib import Path
from PIL import Image
import torch
from gandream.base.files import published
def save_sheet(path: Path, images, columns, *, labels=None, caption=""):
    n,c,h,w=images.shape
    rows=-(-n//columns)
    k=max(1,128//h)
    canvas=torch.zeros(c,rows*h,columns*w,dtype=torch.uint8)
    for i in range(n):
        r,q=divmod(i,columns); canvas[:,r*h:(r+1)*h,q*w:(q+1)*w]=images[i]
    im=Image.fromarray(canvas.permute(1,2,0).numpy()).resize((columns*w*k,rows*h*k),0)
    with published(path) as part: im.save(part)
