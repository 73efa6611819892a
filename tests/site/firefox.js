// Press the button of every cell of some pages in Firefox, from the bottom up;
// print what each cell then says of itself.
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`); // where node_modules is
const { default: puppeteer } = require("puppeteer-core");
const CELLS = ".cell.runs:not(.tag_answer, .tag_check)";
const NOTE = ".run-note:not(:empty, [data-tone=busy])";
const [executablePath, ...pages] = process.argv.slice(2);
const browser = await puppeteer.launch({ browser: "firefox", executablePath });
const page = await browser.newPage();
page.setDefaultTimeout(90_000);
for (const address of pages) {
  await page.goto(address);
  const names = await page.$$eval(CELLS, (them) => them.map(({ id }) => id));
  for (const name of names.reverse()) {
    await page.$eval(`#${name} button.btn`, (button) => button.click());
    const note = await page.waitForSelector(`#${name} ${NOTE}`);
    console.log(name, await note.evaluate((it) => it.textContent));
  }
}
await browser.close();
