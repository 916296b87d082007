import { describe, expect, test } from "bun:test";
import { compileTemplate } from "./template.ts";
import { GoMap, GoStruct, Methods, Nil, type Value } from "./values.ts";

const labels = new GoMap(
  new Map([
    ["x", "y"],
    ["com.example.a", "b"],
  ]),
  "",
);

const data = new Methods("*formatter.ContainerContext", {
  Name: () => "web",
  Empty: () => "",
  Count: () => 3,
  Ratio: () => 1.5,
  Yes: () => true,
  List: () => ["a", "b", "c"],
  Numbers: () => [1, 2],
  Map: () => labels,
  Nothing: () => new Nil("pointer"),
  NoList: () => new Nil("list"),
  NoMap: () => new Nil("map"),
  Struct: () =>
    new GoStruct(
      new Map<string, Value>([
        ["A", "one"],
        ["B", new GoMap(new Map([["k", "v"]]))],
        ["C", 5],
      ]),
      new Map([["Health", new Nil("pointer")]]),
    ),
  Ports: () => new GoMap(new Map([["80/tcp", [new GoStruct(new Map([["HostPort", "8080"]]))]]]), new Nil("list")),
  Label: (name) => labels.entries.get(String(name)),
});

const cases: readonly (readonly [template: string, output: string])[] = [
  ["plain", "plain"],
  ["{{.Name}}", "web"],
  ["a{{ .Name }}b", "awebb"],
  ["a {{- .Name -}} b", "awebb"],
  ["a {{- /* comment */ -}} b", "ab"],
  ["a{{/* comment */}}b", "ab"],
  [
    "{{.Count}} {{.Ratio}} {{.Yes}} {{.List}} {{.Map}} {{.Struct}}",
    "3 1.5 true [a b c] map[com.example.a:b x:y] {one map[k:v] 5}",
  ],
  ["{{.Nothing}} {{.NoList}} {{.NoMap}} {{.Map.z}}", "<nil> [] map[] <no value>"],
  ["{{.Struct.A}} {{.Struct.B.k}} {{.Struct.Health}}", "one v <nil>"],
  ['{{.Label "x"}}', "y"],
  ['{{"x" | .Label}}', "y"],
  ["{{.Map.x}}", "y"],
  ['{{index .Map "com.example.a"}}|{{index .Map "none"}}|', "b||"],
  ["{{index .List 1}}", "b"],
  ['{{(index (index .Ports "80/tcp") 0).HostPort}}', "8080"],
  ['{{with index .Ports "80/tcp"}}{{(index . 0).HostPort}}{{end}}', "8080"],
  ["{{slice .List 1 2}} {{slice .Name 1}}", "[b] eb"],
  ["{{len .List}} {{len .Name}} {{len .Map}} {{len .NoList}}", "3 3 2 0"],
  ["{{if .Empty}}a{{else if .Yes}}b{{else}}c{{end}}", "b"],
  ["{{if .Empty}}a{{else}}c{{end}}", "c"],
  ["{{if and .Yes .Name}}{{and .Yes .Name}}{{end}}", "web"],
  ["{{or .Empty .Count}}", "3"],
  ["{{if or .Empty .Yes}}b{{end}}", "b"],
  ["{{not .Empty}}", "true"],
  ["{{range .List}}[{{.}}]{{end}}", "[a][b][c]"],
  ["{{range $i, $e := .List}}{{$i}}={{$e}} {{end}}", "0=a 1=b 2=c "],
  ["{{range $e := .List}}{{$e}}{{end}}", "abc"],
  ["{{range $k, $v := .Map}}{{$k}}={{$v}};{{end}}", "com.example.a=b;x=y;"],
  ["{{range .NoList}}x{{else}}none{{end}}", "none"],
  ['{{range .List}}{{if eq . "b"}}{{continue}}{{end}}{{.}}{{end}}', "ac"],
  ['{{range .List}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', "a"],
  ["{{range $p, $c := .Ports}}{{$p}} -> {{(index $c 0).HostPort}}{{end}}", "80/tcp -> 8080"],
  ["{{with .Struct}}{{.A}} {{$.Name}}{{end}}", "one web"],
  ["{{with .Empty}}x{{else}}y{{end}}", "y"],
  ["{{with .Empty}}x{{else with .Name}}{{.}}{{end}}", "web"],
  ['{{$x := .Name}}{{$x}}{{$x = "z"}}{{$x}}', "webz"],
  ["{{$n := 0}}{{range .List}}{{$n = len .}}{{end}}{{$n}}", "1"],
  [
    '{{eq .Name "a" "web"}} {{ne .Count 3}} {{lt .Count 4}} {{le 3 .Count}} {{gt .Name "a"}} {{ge 1 2}}',
    "true false true true true false",
  ],
  ["{{print .Name 1 2}} {{println .Name}}", "web1 2 web\n"],
  [
    '{{printf "%s-%d-%5.2f|%-6s|%6s|%q|%v|%x|%t|%%" .Name .Count .Ratio "ab" "cd" "q" .List 255 .Yes}}',
    'web-3- 1.50|ab    |    cd|"q"|[a b c]|ff|true|%',
  ],
  ['{{printf "%d" "x"}} {{printf "%s"}} {{printf "a" 1}}', "%!d(string=x) %!s(MISSING) a%!(EXTRA int=1)"],
  ['{{.Name | printf "%-5s" | upper}}|', "WEB  |"],
  [
    "{{json .List}} {{json .Map}} {{json .NoList}} {{json .Struct}}",
    '["a","b","c"] {"com.example.a":"b","x":"y"} null {"A":"one","B":{"k":"v"},"C":5}',
  ],
  ['{{json "<a>"}}', '"<a>"'],
  ['{{join .List ", "}} {{join .Numbers "-"}} {{join .Map ","}}', "a, b, c 1-2 b,y"],
  ['{{range split "a/b" "/"}}<{{.}}>{{end}}', "<a><b>"],
  ['{{lower "AB"}}{{upper "ab"}}{{title "ab cd"}}', "abABAb Cd"],
  ['{{pad "x" 1 2}}|{{pad "" 1 2}}|{{truncate "abcdef" 3}}', " x  ||abc"],
  ['{{"a\\tb\\n\\x41"}}{{`raw\\n`}}', "a\tb\nAraw\\n"],
  ["{{len (print 1 2)}}", "3"],
  ['{{html "<a&\'>"}} {{urlquery "a b&c"}} {{js "it\'s"}}', "&lt;a&amp;&#39;&gt; a+b%26c it\\'s"],
  ["{{true}}{{-1}}{{.5}}", "true-10.5"],
];

describe("templates", () => {
  for (const [template, output] of cases) {
    test(template, () => expect(compileTemplate(template).render(data)).toBe(output));
  }
});

const failures: readonly (readonly [template: string, message: string])[] = [
  ["{{.Name", "template: :1: unclosed action"],
  ["{{foo .Name}}", 'template: :1: function "foo" not defined'],
  [
    "\n{{.Foo}}",
    'template: :2:2: executing "" at <.Foo>: can\'t evaluate field Foo in type *formatter.ContainerContext',
  ],
  ["{{.Struct.Z}}", 'template: :1:9: executing "" at <.Struct.Z>: map has no entry for key "Z"'],
  ["{{if .Name}}", "template: :1: unexpected EOF"],
  ["{{end}}", "template: :1: unexpected {{end}}"],
  ["{{}}", "template: :1: missing value for command"],
  ["{{.Name | 3}}", "template: :1: non executable command in pipeline stage 2: 3"],
  ["{{$x}}", 'template: :1: undefined variable "$x"'],
  ["{{break}}", "template: :1: {{break}} outside {{range}}"],
  ['{{"abc}}', "template: :1: unterminated quoted string"],
  ["{{index .List 7}}", 'template: :1:2: executing "" at <index .List 7>: error calling index: index out of range: 7'],
  [
    "{{eq .Name 3}}",
    'template: :1:2: executing "" at <eq .Name 3>: error calling eq: incompatible types for comparison',
  ],
  ["{{range .Name}}{{end}}", 'template: :1:8: executing "" at <.Name>: range can\'t iterate over web'],
  ["{{.Label}}", 'template: :1:2: executing "" at <.Label>: wrong number of args for Label: want 1 got 0'],
  ['{{template "x"}}', "template: :1: {{template}} is not supported"],
];

describe("template mistakes", () => {
  for (const [template, message] of failures) {
    test(template, () => expect(() => compileTemplate(template).render(data)).toThrow(message));
  }
});
