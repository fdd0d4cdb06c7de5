using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Host.Tests.Architecture;

/// <summary>Dependencies point one way. Read off the sources: a folder depends on what its files name.</summary>
public sealed partial class DependencyTests
{
    private static readonly string Host = Path.Combine(Root(), "host");

    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Checkpoints"] = [],
        ["Compute"] = [],
        ["Recipes"] = [],
        ["Plugins"] = [],
        ["Vocabulary"] = ["Checkpoints"],
        ["Adapters"] = ["Checkpoints", "Compute"],
        ["Planning"] = ["Recipes", "Plugins", "Checkpoints", "Compute", "Vocabulary", "Adapters"],
        ["Trust"] = [],
        ["Reports"] = ["Trust", "Compute"],
        ["Merging"] = ["Planning", "Compute", "Checkpoints", "Vocabulary", "Adapters"],
        ["Curvature"] = ["Merging", "Planning", "Compute", "Checkpoints"],
        ["Scoring"] = ["Merging", "Planning", "Plugins", "Recipes", "Checkpoints", "Vocabulary"],
        ["Search"] = ["Scoring", "Merging", "Planning", "Plugins", "Recipes", "Compute", "Checkpoints", "Reports", "Trust"],
    };

    public static TheoryData<string> Folders() =>
        [.. Directory.GetDirectories(Host).Select(f => Path.GetFileName(f)).Where(f => f != "Commands")];

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_folder_depends_only_on_those_it_may(string folder)
    {
        Assert.True(Allowed.ContainsKey(folder), $"host/{folder} is new: say here what it may depend on");
        var found = Sources(folder)
            .SelectMany(file => Names().Matches(WithoutComments(File.ReadAllText(file)))
                .Select(m => (Name: m.Groups["area"].Value, File: Path.GetFileName(file))))
            .Where(n => n.Name != "Sdk" && n.Name != folder && !Allowed[folder].Contains(n.Name))
            .Distinct();
        Assert.Empty(found);
    }

    [Fact]
    public void A_namespace_is_its_folder()
    {
        foreach (var folder in Directory.GetDirectories(Host).Select(f => Path.GetFileName(f)))
        {
            Assert.All(Sources(folder), file =>
            {
                var within = Path.GetRelativePath(Host, Path.GetDirectoryName(file)!).Replace('/', '.');
                Assert.Contains($"namespace Merge.{within};", File.ReadAllText(file));
            });
        }
    }

    [Fact]
    public void The_sdk_references_the_base_class_library_alone() => Assert.All(
        typeof(Merge.Sdk.MergeStrategy).Assembly.GetReferencedAssemblies(),
        a => Assert.StartsWith("System", a.Name, StringComparison.Ordinal));

    private static string[] Sources(string folder) =>
        Directory.GetFiles(Path.Combine(Host, folder), "*.cs", SearchOption.AllDirectories);

    private static string WithoutComments(string source) => Comment().Replace(source, "");

    private static string Root([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../.."));

    [GeneratedRegex(@"\bMerge\.(?<area>Sdk|[A-Z]\w+)\b(?=[.;])")]
    private static partial Regex Names();

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();
}
