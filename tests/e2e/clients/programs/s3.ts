// The S3 client of the AWS SDK, with the credentials of its environment: `s3.ts copy|delete`.
import { Readable } from 'node:stream';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

const client = new S3Client({
  endpoint: 'https://s3.test',
  region: 'eu-central-1',
  forcePathStyle: true,
  maxAttempts: 1,
});
const apple = { Bucket: 'box', Key: 'red apple' };
try {
  if (process.argv[2] === 'delete') await client.send(new DeleteObjectCommand(apple));
  else {
    await client.send(new PutObjectCommand({ ...apple, Body: 'a whole object' }));
    console.log(await (await client.send(new GetObjectCommand(apple))).Body?.transformToString());
    // A stream is sent in chunks with a checksum behind them.
    const Body = Readable.from([Buffer.from('an object '), Buffer.from('in parts')]);
    await client.send(new PutObjectCommand({ ...apple, Body, ContentLength: 18 }));
    console.log(await (await client.send(new GetObjectCommand(apple))).Body?.transformToString());
  }
} catch (error) {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  console.error(`${error} (with status ${$metadata?.httpStatusCode})`);
  process.exitCode = 1;
} finally {
  client.destroy();
}
