// deno-lint-ignore-file no-import-prefix
import ts from "npm:typescript@6.0.3";

/** The compiler would otherwise shorten long types, and write a name where what it stands for is asked. */
const WHOLE = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.InTypeAlias;

/**
 * Writes types as texts that are equal where the types are, whichever way and in whichever file they were written.
 *
 * A type that has a public name goes by it, and so does one of the language's library. What has no public name is written out:
 * the types of two versions may then be named and nested differently, and nothing that changes in them is missed. Members,
 * and the parts of a union, are sorted.
 */
export class TypeTexts {
  readonly #program: ts.Program;
  readonly #checker: ts.TypeChecker;
  readonly #publicNames: ReadonlyMap<ts.Symbol, string>;
  /** What is being written, so that a type that holds itself comes to an end. */
  readonly #open: ts.Type[] = [];

  /**
   * @param program The program that has the types.
   * @param publicNames The names by which users import types.
   */
  constructor(program: ts.Program, publicNames: ReadonlyMap<ts.Symbol, string>) {
    this.#program = program;
    this.#checker = program.getTypeChecker();
    this.#publicNames = publicNames;
  }

  /** A type, by its name if it has one that users know. */
  of(type: ts.Type): string {
    return this.#named(type) ?? this.structureOf(type);
  }

  /** What a type is made of, even if it has a name. */
  structureOf(type: ts.Type): string {
    if (type.isUnion()) return this.#union(type.types);
    if (type.isIntersection() && !this.hasMembers(type)) {
      return type.types.map((part) => this.#part(part)).sort().join(" & ");
    }
    if (this.#checker.isTupleType(type)) return this.#tuple(type as ts.TupleTypeReference);
    return this.hasMembers(type) ? this.#object(type) : this.#asCompilerWrites(type);
  }

  /** Whether members say all about a type: it is an object, and does not wait for a type parameter. */
  hasMembers(type: ts.Type): boolean {
    if (type.isIntersection()) return type.types.every((part) => this.hasMembers(part));
    if ((type.flags & ts.TypeFlags.Object) === 0 || this.#checker.isTupleType(type)) return false;
    const isMapped = (type as ts.ObjectType).objectFlags & ts.ObjectFlags.Mapped;
    return !isMapped || this.#checker.getPropertiesOfType(type).length > 0 ||
      this.#checker.getIndexInfosOfType(type).length > 0;
  }

  /** The public members of a type by their names, those that it inherits among them. */
  membersOf(type: ts.Type): Map<string, string> {
    const members = new Map<string, string>();
    for (const property of this.#checker.getPropertiesOfType(type)) {
      const name = memberName(property);
      if (name === undefined || name === "prototype" && isClassItself(type)) continue;
      members.set(name, this.#member(name, property));
    }
    for (const signature of type.getCallSignatures()) addTo(members, "()", this.signature(signature));
    if (!isClassItself(type)) {
      for (const signature of type.getConstructSignatures()) {
        addTo(members, "new ()", `new ${this.signature(signature)}`);
      }
    }
    for (const { keyType, type: value, isReadonly } of this.#checker.getIndexInfosOfType(type)) {
      const key = `[${this.of(keyType)}]`;
      members.set(key, `${isReadonly ? "readonly " : ""}${key}: ${this.of(value)}`);
    }
    return new Map([...members].sort(([one], [other]) => one < other ? -1 : 1));
  }

  /** A signature; `arrow` stands before what it returns. */
  signature(signature: ts.Signature, arrow: ": " | " => " = ": "): string {
    const { thisParameter, parameters, typeParameters } = signature;
    const all = thisParameter === undefined ? parameters : [thisParameter, ...parameters];
    const texts = all.map((parameter) => this.#parameter(parameter)).join(", ");
    return `${this.typeParameters(typeParameters)}(${texts})${arrow}${this.#returned(signature)}`;
  }

  /** Type parameters with what they extend and their defaults. */
  typeParameters(parameters: readonly ts.TypeParameter[] = []): string {
    if (parameters.length === 0) return "";
    const texts = parameters.map((parameter) => {
      const [constraint, standard] = [parameter.getConstraint(), parameter.getDefault()];
      return parameter.symbol.name + (constraint === undefined ? "" : ` extends ${this.of(constraint)}`) +
        (standard === undefined ? "" : ` = ${this.of(standard)}`);
    });
    return `<${texts.join(", ")}>`;
  }

  #named(type: ts.Type): string | undefined {
    const { aliasSymbol, aliasTypeArguments = [] } = type;
    if (aliasSymbol !== undefined) {
      const name = this.#publicNames.get(aliasSymbol);
      if (name !== undefined) return name + this.#arguments(aliasTypeArguments);
      // With arguments it is `Partial` or the like, which only makes another type.
      if (aliasTypeArguments.length === 0 && this.#isOfLibrary(aliasSymbol)) return aliasSymbol.name;
    }
    const symbol = type.getSymbol();
    if (symbol === undefined || (type.flags & ts.TypeFlags.Object) === 0) return undefined;
    const name = this.#publicNames.get(symbol) ?? (this.#isOfLibrary(symbol) ? symbol.name : undefined);
    if (name === undefined) return undefined;
    if (isClassItself(type)) return `typeof ${name}`;
    const { objectFlags } = type as ts.ObjectType;
    if (objectFlags & ts.ObjectFlags.Reference) {
      const reference = type as ts.TypeReference;
      // A class's or an interface's own `this` comes after these.
      const count = reference.target.typeParameters?.length ?? 0;
      return name + this.#arguments(this.#checker.getTypeArguments(reference).slice(0, count));
    }
    return objectFlags & ts.ObjectFlags.ClassOrInterface ? name : undefined;
  }

  #arguments(types: readonly ts.Type[]): string {
    return types.length === 0 ? "" : `<${types.map((type) => this.of(type)).join(", ")}>`;
  }

  #isOfLibrary(symbol: ts.Symbol): boolean {
    return symbol.declarations?.some((node) => this.#program.isSourceFileDefaultLibrary(node.getSourceFile())) ?? false;
  }

  #union(types: readonly ts.Type[]): string {
    const parts = new Set(types.map((type) => this.#part(type)));
    if (parts.has("true") && parts.has("false")) {
      parts.delete("true");
      parts.delete("false");
      parts.add("boolean");
    }
    return [...parts].sort().join(" | ");
  }

  /** A type where a function without parentheses would take in what follows it. */
  #part(type: ts.Type): string {
    const text = this.of(type);
    return /^[<(]|^new /.test(text) ? `(${text})` : text;
  }

  #tuple(type: ts.TupleTypeReference): string {
    const { elementFlags, readonly } = type.target;
    const elements = this.#checker.getTypeArguments(type).map((element, index) => {
      const flags = elementFlags[index]!;
      if (flags & ts.ElementFlags.Variable) return `...${this.of(element)}${flags & ts.ElementFlags.Rest ? "[]" : ""}`;
      return flags & ts.ElementFlags.Optional ? `${this.of(element)}?` : this.of(element);
    });
    return `${readonly ? "readonly " : ""}[${elements.join(", ")}]`;
  }

  #object(type: ts.Type): string {
    if (this.#open.includes(type)) return type.aliasSymbol?.name ?? type.symbol?.name ?? "this type";
    this.#open.push(type);
    try {
      const [signature, ...others] = type.getCallSignatures();
      const members = this.membersOf(type);
      if (signature !== undefined && others.length === 0 && members.size === 1) {
        return this.signature(signature, " => ");
      }
      return members.size === 0 ? "{}" : `{ ${[...members.values()].join("; ")} }`;
    } finally {
      this.#open.pop();
    }
  }

  #member(name: string, property: ts.Symbol): string {
    const isOptional = (property.flags & ts.SymbolFlags.Optional) !== 0;
    const start = name + (isOptional ? "?" : "");
    const type = this.#checker.getTypeOfSymbol(property);
    if (property.flags & ts.SymbolFlags.Method) {
      const method = this.#checker.getNonNullableType(type); // An optional one may be undefined.
      return method.getCallSignatures().map((signature) => start + this.signature(signature)).join("; ");
    }
    return `${isReadonly(property) ? "readonly " : ""}${start}: ${
      isOptional ? this.#present(type, false) : this.of(type)
    }`;
  }

  #parameter(parameter: ts.Symbol): string {
    const node = parameter.valueDeclaration;
    const type = this.#checker.getTypeOfSymbol(parameter);
    if (node === undefined || !ts.isParameter(node)) return `${parameter.name}: ${this.of(type)}`;
    const name = node.name.getText(); // One that is taken apart at once has no other.
    if (node.dotDotDotToken !== undefined) return `...${name}: ${this.of(type)}`;
    if (!this.#checker.isOptionalParameter(node)) return `${name}: ${this.of(type)}`;
    return `${name}?: ${this.#present(type, true)}`;
  }

  /**
   * The type of an optional member or parameter when it is there. A member that may hold `undefined` differs from one that may
   * only be left out, with the compiler's `exactOptionalPropertyTypes`; parameters know no such difference.
   */
  #present(type: ts.Type, withoutUndefined: boolean): string {
    if (!type.isUnion()) return this.of(type);
    const written = this.#checker.getUndefinedType();
    const parts = type.types.filter((part) =>
      (part.flags & ts.TypeFlags.Undefined) === 0 || !withoutUndefined && part === written
    );
    return parts.length === type.types.length ? this.of(type) : this.#union(parts);
  }

  #returned(signature: ts.Signature): string {
    const predicate = this.#checker.getTypePredicateOfSignature(signature);
    if (predicate === undefined) return this.of(signature.getReturnType());
    const { kind, parameterName = "this", type } = predicate;
    const asserts = kind === ts.TypePredicateKind.AssertsThis || kind === ts.TypePredicateKind.AssertsIdentifier;
    return `${asserts ? "asserts " : ""}${parameterName}${type === undefined ? "" : ` is ${this.of(type)}`}`;
  }

  #asCompilerWrites(type: ts.Type): string {
    return this.#checker.typeToString(type, undefined, WHOLE)
      .replace(/(?:typeof )?import\("[^"]*"\)\.?/g, "").replace(/\s+/g, " ");
  }
}

/** Whether this is a class with its static members, not what it constructs. */
export function isClassItself(type: ts.Type): boolean {
  return ((type as ts.ObjectType).objectFlags & ts.ObjectFlags.Anonymous) !== 0 &&
    type.symbol !== undefined && (type.symbol.flags & ts.SymbolFlags.Class) !== 0;
}

/** The name of a member as users write it; none of those that they cannot reach. */
function memberName({ name, declarations = [] }: ts.Symbol): string | undefined {
  if (name.startsWith("#") || declarations.some(isHidden)) return undefined;
  // The compiler numbers the library's symbols.
  return name.replace(/^__@(\w+)@\d+$/, "[Symbol.$1]");
}

/** Whether a declaration is `private` or `protected`. */
export function isHidden(node: ts.Declaration): boolean {
  return (ts.getCombinedModifierFlags(node) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0;
}

function isReadonly({ flags, declarations = [] }: ts.Symbol): boolean {
  if (flags & ts.SymbolFlags.GetAccessor) return (flags & ts.SymbolFlags.SetAccessor) === 0;
  return declarations.some((node) => (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Readonly) !== 0);
}

function addTo(members: Map<string, string>, name: string, text: string): void {
  const present = members.get(name);
  members.set(name, present === undefined ? text : `${present}; ${text}`);
}
