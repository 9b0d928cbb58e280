#!/bin/sh
# Exports every SVG in this folder to a PNG beside it.
# Needs rsvg-convert (package librsvg2-bin); the JPEG also needs ImageMagick's `magick` or `convert`.
set -eu
cd "$(dirname "$0")"

for svg in *.svg; do
  case $svg in
    foredeck.svg) width=512 ;;
    *) width=1600 ;;
  esac
  rsvg-convert --width "$width" "$svg" --output "${svg%.svg}.png"
done

# Older decks name this one picture as a JPEG.
jpeg=cluster-api-azure-design
for tool in magick convert; do
  if command -v "$tool" >/dev/null &&
    "$tool" "$jpeg.png" -background white -flatten -quality 90 "$jpeg.jpg" 2>/dev/null; then
    exit 0
  fi
done
echo "no ImageMagick: $jpeg.jpg was not exported again" >&2
