/**
 * A function that makes its value when it is first called, and has it from then on. What could not be made is tried again by who asks next: to
 * load code takes a descriptor, and there may have been none left.
 */
export function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    if (made !== undefined) return made.value;
    const mine = { value: make() };
    made = mine;
    if (mine.value instanceof Promise)
      mine.value.catch(() => {
        if (made === mine) made = undefined;
      });
    return mine.value;
  };
}
