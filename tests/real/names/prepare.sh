# shellcheck shell=sh
long=$(printf 'y%.0s' $(seq 200))
mkdir -p "tree/$long/$long" "tree/sp ace"
echo long >"tree/$long/$long/$long"
echo space >"tree/sp ace/ file "
echo unicode >tree/naïve-漢字
ln -s "$long/$long/$long" tree/long-link
