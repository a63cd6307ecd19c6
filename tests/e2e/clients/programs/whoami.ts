// Shows a token of the environment to the origin, and what the origin says to it.
const response = await fetch('https://web.test/whoami', {
  headers: { Authorization: `Bearer ${process.env.GITHUB_TOKEN}` },
});
process.stdout.write(await response.text());
