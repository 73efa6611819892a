#!/usr/bin/env bash
# Push a branch `english`: this commit, with the chapters in English.
set -euo pipefail
cd "$(dirname "$0")/.."
grep -q "^languages:.*en" _config.yml || exit 0 # a book in Chinese alone
grep -q "^solutions: *no" _config.yml && exit 0 # the branch has them
folder=$(mktemp -d)
trap 'git worktree remove --force "$folder/tree"; rm -rf "$folder"' EXIT
git worktree add --quiet --detach "$folder/tree"
.venv/bin/python -m tools.english "$folder/book"
cp -R "$folder"/book/* "$folder/tree/book/"
cd "$folder/tree"
git -c user.name=linreg -c user.email=linreg@localhost \
  commit --quiet --all --message "The chapters in English, of $(git rev-parse --short HEAD)"
git push --quiet --force "${1:-origin}" HEAD:refs/heads/english
