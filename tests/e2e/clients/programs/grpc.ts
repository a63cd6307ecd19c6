// A gRPC client: `grpc.ts price|empty`. With `price` it also reads a stream, and sends one while it reads another.
import { type Client, credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { fruitShop } from './fruit-shop.ts';

interface Stream extends AsyncIterable<string> {
  write(text: string): void;
  end(): void;
}

interface Shop extends Client {
  price(fruit: string, done: (error: Error | null, answer: string) => void): void;
  empty(nothing: string, done: (error: Error | null, answer: string) => void): void;
  list(nothing: string): Stream;
  chat(): Stream;
}

const Shop = makeGenericClientConstructor(fruitShop, 'fruit.Shop');
const shop = new Shop('grpc.test:443', credentials.createSsl()) as unknown as Shop;
const [, , wish] = process.argv;
const call = (name: 'price' | 'empty', argument: string): Promise<string> =>
  new Promise((resolve, reject) =>
    shop[name](argument, (error, answer) => (error ? reject(error) : resolve(answer))),
  );
try {
  if (wish === 'empty') console.log(await call('empty', 'now'));
  else {
    console.log(await call('price', 'apple'));
    for await (const fruit of shop.list('all')) console.log(fruit);
    const chat = shop.chat();
    // Ends as a placeholder begins: the proxy must not keep that back, since the server answers only when it has all of it.
    chat.write('hello');
    for await (const answer of chat) {
      console.log(answer);
      if (answer === 'HELLO') chat.write('bye');
      else chat.end();
    }
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  shop.close();
}
