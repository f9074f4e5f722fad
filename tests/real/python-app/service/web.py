from service import settings

ADDRESS = ("127.0.0.1", settings.PORT)
