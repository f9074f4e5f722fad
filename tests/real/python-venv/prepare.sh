# shellcheck shell=sh
mkdir wheels
python3 - <<'PY'
import zipfile
with zipfile.ZipFile("wheels/greeting-1.0-py3-none-any.whl", "w") as z:
    z.writestr("greeting.py", "def greet(name):\n    return 'Hello, %s' % name\n")
    z.writestr("greeting-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
    z.writestr("greeting-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    z.writestr("greeting-1.0.dist-info/entry_points.txt", "[console_scripts]\ngreet = greeting:greet\n")
    z.writestr("greeting-1.0.dist-info/RECORD", "greeting.py,,\ngreeting-1.0.dist-info/METADATA,,\n"
               "greeting-1.0.dist-info/WHEEL,,\ngreeting-1.0.dist-info/entry_points.txt,,\ngreeting-1.0.dist-info/RECORD,,\n")
PY
