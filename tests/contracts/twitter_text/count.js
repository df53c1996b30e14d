// Reads a JSON list of texts, writes for each what the official counter of X and JavaScript's segmenter say of it.
"use strict";
const fs = require("fs");
const twitter = require("twitter-text");

const segmenter = new Intl.Segmenter("vi", { granularity: "grapheme" });
const read = (text) => {
  const normal = text.normalize("NFC");
  return {
    text,
    x: twitter.parseTweet(text).weightedLength,
    links: twitter.extractUrlsWithIndices(normal).map(({ url }) => url),
    graphemes: Array.from(segmenter.segment(normal)).length,
    utf16: normal.length,
    bytes: Buffer.byteLength(normal, "utf8"),
  };
};
const texts = JSON.parse(fs.readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(texts.map(read)));
