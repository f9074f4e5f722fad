set -e
mkdir -p d/sub; echo f > d/sub/f; touch -d @1111111111 d/sub; touch -d @1222222222 d
