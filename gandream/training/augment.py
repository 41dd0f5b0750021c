AUGMENTATIONS={"none":lambda images,p,random:images}
class Controller:
    p=0.0; interval=4
    def state(self): return {"p":0.0}
    def restore(self,state): pass
    def observe(self,l): pass
    def update(self,n): pass
