set -e
git init -q -b main work && cd work
mkdir sub; echo one > file; echo s > sub/s
git add -A && git commit -q -m one && git tag same
echo two > file && git commit -qam two && git tag -a -m ann ann
git checkout -q -b same && echo branch > file && git commit -qam branch && git checkout -q main
tag=$(git rev-parse ann); commit=$(git rev-parse 'ann^{}')
cd .. && git clone -q --bare work "$WWW/repo.git" && git -C "$WWW/repo.git" config uploadpack.allowAnySHA1InWant true && rm -rf work
echo "set tag=$tag"; echo "set commit=$commit"
