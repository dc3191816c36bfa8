// What a page took, as the browser counts it.

/** Times in milliseconds from the start of the navigation, sizes in bytes as they came over the wire (0 from the cache). */
export const figures = (page) => page.evaluate(() => {
  const [navigation] = performance.getEntriesByType('navigation');
  const resources = performance.getEntriesByType('resource');
  const painted = performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0;
  const round = (number) => Math.round(number * 10) / 10;
  return {
    first_byte_ms: round(navigation.responseStart - navigation.requestStart),
    // painted, parsed, and its script has run: every region comes with the page
    usable_ms: round(Math.max(painted, navigation.domContentLoadedEventEnd, globalThis.noted?.largest ?? 0)),
    loaded_ms: round(navigation.loadEventEnd),
    html_bytes: navigation.encodedBodySize,
    requests: resources.length + 1,
    shift: globalThis.noted?.shift ?? 0,
    assets: resources.filter((each) => /\.(js|css)$/.test(new URL(each.name).pathname)).map((each) => ({
      name: new URL(each.name).pathname, encoded_bytes: each.encodedBodySize, bytes: each.decodedBodySize,
    })),
  };
});
