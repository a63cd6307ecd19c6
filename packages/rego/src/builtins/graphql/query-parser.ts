import type { Fragment, Operation, QueryDocument, Selection, VariableDefinition } from './ast.ts';
import { GraphqlParser } from './parser.ts';

const OPERATIONS = ['query', 'mutation', 'subscription'];

/** Reads a document of operations and fragments. Throws a GraphqlError. */
export const parseQueryDocument = (text: string, spend: (steps: number) => void): QueryDocument =>
  new QueryParser(text, spend).document();

class QueryParser extends GraphqlParser {
  document(): QueryDocument {
    const Operations: Operation[] = [];
    const Fragments: Fragment[] = [];
    while (this.token.kind !== '<EOF>') {
      if (this.atKeyword('fragment')) Fragments.push(this.#fragment());
      else if (this.at('{') || OPERATIONS.some((word) => this.atKeyword(word)))
        Operations.push(this.#operation());
      else throw this.unexpected();
    }
    return { Operations, Fragments };
  }

  #operation(): Operation {
    const Position = this.token.position;
    if (this.at('{')) return { Operation: 'query', Name: '', SelectionSet: this.#selections(), Position };
    return {
      Operation: this.name(),
      Name: this.token.kind === 'Name' ? this.name() : '',
      VariableDefinitions: this.#variables(),
      Directives: this.directives(false),
      SelectionSet: this.#selections(),
      Position,
    };
  }

  #variables(): VariableDefinition[] {
    return this.many('(', ')', () => {
      const Position = this.token.position;
      this.expect('$');
      const Variable = this.name();
      this.expect(':');
      const Type = this.type();
      const initial = this.skip('=') ? { DefaultValue: this.value(true) } : {};
      return { Variable, Type, ...initial, Directives: this.directives(true), Used: false, Position };
    });
  }

  #selections(): Selection[] {
    if (!this.at('{')) throw this.expected('{');
    return this.some('{', '}', () => this.#selection());
  }

  #selection(): Selection {
    const Position = this.token.position;
    if (this.skip('...')) return this.#fragmentUse();
    const first = this.name();
    const Name = this.skip(':') ? this.name() : first;
    return {
      Alias: first,
      Name,
      Arguments: this.arguments(false),
      Directives: this.directives(false),
      SelectionSet: this.at('{') ? this.#selections() : [],
      Position,
    };
  }

  #fragmentUse(): Selection {
    const Position = this.token.position;
    if (this.token.kind === 'Name' && !this.atKeyword('on')) {
      return { Name: this.name(), Directives: this.directives(false), Position };
    }
    let TypeCondition = '';
    if (this.atKeyword('on')) {
      this.next();
      TypeCondition = this.name();
    }
    return { TypeCondition, Directives: this.directives(false), SelectionSet: this.#selections(), Position };
  }

  #fragment(): Fragment {
    const Position = this.expectKeyword('fragment').position;
    if (this.atKeyword('on')) throw this.unexpected();
    const Name = this.name();
    const VariableDefinition = this.#variables();
    this.expectKeyword('on');
    return {
      Name,
      VariableDefinition,
      TypeCondition: this.name(),
      Directives: this.directives(false),
      SelectionSet: this.#selections(),
      Position,
    };
  }
}
