set -e
mkdir -p a/b; echo f > a/b/f; echo g > a/g; chmod 711 a; chmod 751 a/b
