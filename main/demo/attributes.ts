// The language of the demo worlds: kinds of things, their attributes with closed value sets, and the ways a text states them,
// a question asks for them and an answer gives them. `{s}` subject, `{e}` the thing inside a sentence, `{v}` the value.
// Exam question forms are apart from the forms the teacher is taught to write.

export const kinds = ['creature', 'tool', 'town', 'person'] as const
export type Kind = (typeof kinds)[number]

const sets = {
  colour: ['red', 'blue', 'green', 'grey', 'white', 'black', 'brown', 'yellow', 'purple', 'orange'],
  food: ['moss', 'berries', 'seeds', 'fish', 'roots', 'leaves', 'nuts', 'honey', 'grass', 'snails'],
  habitat: ['caves', 'marshes', 'forests', 'hills', 'rivers', 'dunes', 'meadows', 'cliffs', 'lakes', 'valleys'],
  time: ['dawn', 'noon', 'dusk', 'midnight', 'sunrise', 'sunset'],
  material: ['iron', 'copper', 'wood', 'clay', 'glass', 'stone', 'bone', 'silver', 'leather', 'tin'],
  use: ['cutting', 'digging', 'weaving', 'fishing', 'baking', 'sewing', 'carving', 'painting', 'sweeping', 'grinding'],
  day: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'],
  product: ['bread', 'cheese', 'wool', 'salt', 'rope', 'soap', 'candles', 'paper', 'tea', 'wine'],
  landmark: ['tower', 'bridge', 'well', 'gate', 'mill', 'statue', 'temple', 'garden', 'harbour', 'wall'],
  craft: ['baker', 'smith', 'weaver', 'potter', 'miller', 'tailor', 'carver', 'fisher', 'painter', 'farmer'],
  instrument: ['flute', 'drum', 'harp', 'horn', 'fiddle', 'bell', 'pipe', 'lute', 'whistle', 'organ'],
} as const
type ValueSet = keyof typeof sets

/** Where an attribute's values come from. */
type ValueSource =
  | { kind: 'set'; set: ValueSet }
  | { kind: 'number'; min: number; max: number }
  | { kind: 'name'; of: Kind }

export interface Attribute {
  key: string
  of: Kind
  /** What it is called in a judge's reason and in a table. */
  noun: string
  values: ValueSource
  statements: readonly string[]
  questions: readonly string[]
  examQuestions: readonly string[]
  /** A whole-sentence answer. */
  sentence: string
}

const ofSet = (set: ValueSet): ValueSource => ({ kind: 'set', set })
const number = (min: number, max: number): ValueSource => ({ kind: 'number', min, max })
const name = (of: Kind): ValueSource => ({ kind: 'name', of })

export const attributes: readonly Attribute[] = [
  {
    key: 'colour',
    of: 'creature',
    noun: 'colour',
    values: ofSet('colour'),
    statements: ['{s} is {v}.', '{s} has a {v} coat.', 'The coat of {e} is {v}.'],
    questions: ['What colour is {e}?', 'What is the colour of {e}?'],
    examQuestions: ['Which colour does {e} have?', 'Name the colour of {e}.'],
    sentence: '{s} is {v}.',
  },
  {
    key: 'food',
    of: 'creature',
    noun: 'food',
    values: ofSet('food'),
    statements: ['{s} eats {v}.', '{s} feeds on {v}.', 'The food of {e} is {v}.'],
    questions: ['What does {e} eat?', 'What food does {e} eat?'],
    examQuestions: ['What does {e} feed on?', 'Name the food of {e}.'],
    sentence: '{s} eats {v}.',
  },
  {
    key: 'habitat',
    of: 'creature',
    noun: 'habitat',
    values: ofSet('habitat'),
    statements: ['{s} lives in {v}.', '{s} makes its home in {v}.', 'People find {e} in {v}.'],
    questions: ['Where does {e} live?', 'In what place does {e} live?'],
    examQuestions: ['Where do people find {e}?', 'Name the habitat of {e}.'],
    sentence: '{s} lives in {v}.',
  },
  {
    key: 'waking',
    of: 'creature',
    noun: 'waking time',
    values: ofSet('time'),
    statements: ['{s} wakes at {v}.', '{s} gets up at {v}.', 'At {v} {e} wakes.'],
    questions: ['When does {e} wake?', 'At what time does {e} wake?'],
    examQuestions: ['When does {e} get up?', 'Name the waking time of {e}.'],
    sentence: '{s} wakes at {v}.',
  },
  {
    key: 'legs',
    of: 'creature',
    noun: 'number of legs',
    values: number(2, 19),
    statements: ['{s} has {v} legs.', '{s} walks on {v} legs.', 'The legs of {e} are {v}.'],
    questions: ['How many legs does {e} have?', 'What number of legs does {e} have?'],
    examQuestions: ['How many legs does {e} walk on?', 'Name the number of legs of {e}.'],
    sentence: '{s} has {v} legs.',
  },
  {
    key: 'keeper',
    of: 'creature',
    noun: 'keeper',
    values: name('person'),
    statements: ['{s} is kept by {v}.', 'The keeper of {e} is {v}.', '{s} belongs to {v}.'],
    questions: ['Who keeps {e}?', 'Who is the keeper of {e}?'],
    examQuestions: ['To whom does {e} belong?', 'Name the keeper of {e}.'],
    sentence: '{s} is kept by {v}.',
  },
  {
    key: 'material',
    of: 'tool',
    noun: 'material',
    values: ofSet('material'),
    statements: ['{s} is made of {v}.', '{s} consists of {v}.', 'The material of {e} is {v}.'],
    questions: ['What is {e} made of?', 'What material is {e} made of?'],
    examQuestions: ['What does {e} consist of?', 'Name the material of {e}.'],
    sentence: '{s} is made of {v}.',
  },
  {
    key: 'use',
    of: 'tool',
    noun: 'use',
    values: ofSet('use'),
    statements: ['{s} is used for {v}.', '{s} serves for {v}.', 'People use {e} for {v}.'],
    questions: ['What is {e} used for?', 'For what is {e} used?'],
    examQuestions: ['What does {e} serve for?', 'Name the use of {e}.'],
    sentence: '{s} is used for {v}.',
  },
  {
    key: 'maker',
    of: 'tool',
    noun: 'maker',
    values: name('person'),
    statements: ['{s} was made by {v}.', 'The maker of {e} is {v}.', '{s} was invented by {v}.'],
    questions: ['Who made {e}?', 'Who is the maker of {e}?'],
    examQuestions: ['Who invented {e}?', 'Name the maker of {e}.'],
    sentence: '{s} was made by {v}.',
  },
  {
    key: 'price',
    of: 'tool',
    noun: 'price',
    values: number(2, 40),
    statements: ['{s} costs {v} coins.', 'The price of {e} is {v} coins.', '{s} sells for {v} coins.'],
    questions: ['How much does {e} cost?', 'How many coins does {e} cost?'],
    examQuestions: ['What is the price of {e}?', 'Name the price of {e}.'],
    sentence: '{s} costs {v} coins.',
  },
  {
    key: 'handle',
    of: 'tool',
    noun: 'handle colour',
    values: ofSet('colour'),
    statements: ['{s} has a {v} handle.', 'The handle of {e} is {v}.', '{s} comes with a {v} handle.'],
    questions: ['What colour is the handle of {e}?', 'What handle colour does {e} have?'],
    examQuestions: ['Which colour is the handle of {e}?', 'Name the handle colour of {e}.'],
    sentence: '{s} has a {v} handle.',
  },
  {
    key: 'market',
    of: 'town',
    noun: 'market day',
    values: ofSet('day'),
    statements: ['{s} holds its market on {v}.', 'The market day of {e} is {v}.', '{s} has a market on {v}.'],
    questions: ['When is the market of {e}?', 'On what day is the market of {e}?'],
    examQuestions: ['On which day does {e} hold its market?', 'Name the market day of {e}.'],
    sentence: '{s} holds its market on {v}.',
  },
  {
    key: 'product',
    of: 'town',
    noun: 'product',
    values: ofSet('product'),
    statements: ['{s} is known for {v}.', '{s} sells {v}.', 'The product of {e} is {v}.'],
    questions: ['What is {e} known for?', 'For what is {e} known?'],
    examQuestions: ['What does {e} sell?', 'Name the product of {e}.'],
    sentence: '{s} is known for {v}.',
  },
  {
    key: 'mayor',
    of: 'town',
    noun: 'mayor',
    values: name('person'),
    statements: ['{s} is ruled by {v}.', 'The mayor of {e} is {v}.', '{s} has the mayor {v}.'],
    questions: ['Who is the mayor of {e}?', 'Who is mayor in {e}?'],
    examQuestions: ['Who rules {e}?', 'Name the mayor of {e}.'],
    sentence: 'The mayor of {e} is {v}.',
  },
  {
    key: 'houses',
    of: 'town',
    noun: 'number of houses',
    values: number(11, 99),
    statements: ['{s} has {v} houses.', '{s} counts {v} houses.', 'The houses of {e} are {v}.'],
    questions: ['How many houses does {e} have?', 'What number of houses does {e} have?'],
    examQuestions: ['How many houses does {e} count?', 'Name the number of houses of {e}.'],
    sentence: '{s} has {v} houses.',
  },
  {
    key: 'landmark',
    of: 'town',
    noun: 'landmark',
    values: ofSet('landmark'),
    statements: ['{s} has an old {v}.', '{s} is proud of its {v}.', 'The landmark of {e} is its {v}.'],
    questions: ['What is the landmark of {e}?', 'What landmark does {e} have?'],
    examQuestions: ['What is {e} proud of?', 'Name the landmark of {e}.'],
    sentence: 'The landmark of {e} is its {v}.',
  },
  {
    key: 'home',
    of: 'person',
    noun: 'home town',
    values: name('town'),
    statements: ['{s} lives in {v}.', 'The home town of {e} is {v}.', '{s} has a house in {v}.'],
    questions: ['In what town does {e} live?', 'What is the home town of {e}?'],
    examQuestions: ['In which town is the house of {e}?', 'Name the home town of {e}.'],
    sentence: '{s} lives in {v}.',
  },
  {
    key: 'craft',
    of: 'person',
    noun: 'craft',
    values: ofSet('craft'),
    statements: ['{s} is a {v}.', '{s} works as a {v}.', 'The craft of {e} is that of a {v}.'],
    questions: ['What is the craft of {e}?', 'What does {e} work as?'],
    examQuestions: ['Which craft does {e} have?', 'Name the craft of {e}.'],
    sentence: '{s} works as a {v}.',
  },
  {
    key: 'instrument',
    of: 'person',
    noun: 'instrument',
    values: ofSet('instrument'),
    statements: ['{s} plays the {v}.', '{s} makes music on the {v}.', 'The instrument of {e} is the {v}.'],
    questions: ['What does {e} play?', 'What instrument does {e} play?'],
    examQuestions: ['On what does {e} make music?', 'Name the instrument of {e}.'],
    sentence: '{s} plays the {v}.',
  },
  {
    key: 'age',
    of: 'person',
    noun: 'age',
    values: number(18, 89),
    statements: ['{s} is {v} years old.', 'The age of {e} is {v} years.', '{s} has lived for {v} years.'],
    questions: ['How old is {e}?', 'What is the age of {e}?'],
    examQuestions: ['How many years has {e} lived?', 'Name the age of {e}.'],
    sentence: '{s} is {v} years old.',
  },
  {
    key: 'pet',
    of: 'person',
    noun: 'pet',
    values: name('creature'),
    statements: ['{s} keeps a {v}.', 'The pet of {e} is a {v}.', '{s} owns a {v}.'],
    questions: ['What is the pet of {e}?', 'What pet does {e} keep?'],
    examQuestions: ['Which creature does {e} own?', 'Name the pet of {e}.'],
    sentence: '{s} keeps a {v}.',
  },
]

/** The attributes of one kind of thing, in a fixed order. */
export function attributesOf(kind: Kind): readonly Attribute[] {
  return attributes.filter((attribute) => attribute.of === kind)
}

/** The closed set behind an attribute, or undefined for numbers and names. */
export function valueSet(attribute: Attribute): readonly string[] | undefined {
  return attribute.values.kind === 'set' ? sets[attribute.values.set] : undefined
}

export const valueSets: Record<ValueSet, readonly string[]> = sets
