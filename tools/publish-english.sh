#!/usr/bin/env bash
# Push a branch `english`: this commit, with the chapters in English.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'git worktree remove --force "$folder/tree"; rm -rf "$folder"' EXIT
git worktree add --quiet --detach "$folder/tree"
.venv/bin/python -m tools.english "$folder/book"
cp "$folder"/book/*.{ipynb,md} "$folder/tree/book/"
cd "$folder/tree"
git -c user.name=linreg -c user.email=linreg@localhost \
  commit --quiet --all --message "The chapters in English, of $(git rev-parse --short HEAD)"
git push --quiet --force "${1:-origin}" HEAD:refs/heads/english
