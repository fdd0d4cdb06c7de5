using System.Text.RegularExpressions;
using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>What the documentation shows compiles, against the packages a reader has.</summary>
[Collection(PackedSdk.Collection)]
public sealed partial class DocumentationTests(PackedSdk sdk)
{
    [Fact]
    public void Every_snippet_compiles()
    {
        var folder = sdk.New("merge-strategy", "Snippets");
        var tests = Path.Combine(folder, "Snippets.Tests");
        var count = 0;
        foreach (var page in Directory.GetFiles(Path.Combine(MergeProcess.Root, "docs"), "*.md", SearchOption.AllDirectories).Order())
        {
            foreach (Match snippet in Fenced().Matches(File.ReadAllText(page)))
            {
                var name = $"{Path.GetFileNameWithoutExtension(page)}-{++count}";
                File.WriteAllText(Path.Combine(tests, name + ".cs"), Unit(snippet.Groups["code"].Value, count));
            }
        }
        Assert.True(count >= 5, "the tutorial's snippets are not found");
        sdk.Dotnet(folder, "build", "-nodeReuse:false");
    }

    // A whole file in a namespace of its own; or statements, which are the body of a Plan.
    private static string Unit(string code, int number)
    {
        if (Namespace().IsMatch(code))
            return code;
        if (!code.Contains("class "))
        {
            return $$"""
                using Merge.Sdk;
                namespace Snippet{{number}};
                public sealed record Options;
                public sealed class Method : MergeStrategy<Options>
                {
                    public override StrategyInfo Info => new("m", "M");
                    protected override async ValueTask<TensorMerge> Plan(TensorScan tensor, Options options)
                    {
                        await tensor.Sum(b => b.Base);
                {{code}}
                    }
                }
                """;
        }
        var lines = code.Split('\n');
        var body = Array.FindIndex(lines, l => l.Length > 0 && !l.StartsWith("using "));
        return string.Join('\n', [.. lines[..body], $"namespace Snippet{number};", .. lines[body..]]);
    }

    [GeneratedRegex(@"^```csharp\n(?<code>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fenced();

    [GeneratedRegex(@"^namespace ", RegexOptions.Multiline)]
    private static partial Regex Namespace();
}
