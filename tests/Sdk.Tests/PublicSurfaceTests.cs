using System.Reflection;
using System.Xml.Linq;
using Merge.Sdk;

namespace Sdk.Tests;

public sealed class PublicSurfaceTests
{
    private static readonly Assembly _sdk = typeof(MergeStrategy).Assembly;

    [Fact]
    public void Public_surface_is_the_approved_one()
    {
        var approved = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "PublicSurface.txt"));
        var actual = PublicSurface.Of(_sdk);
        var received = Path.Combine(AppContext.BaseDirectory, "PublicSurface.received.txt");
        File.WriteAllLines(received, actual);
        string[] removed = [.. approved.Except(actual)];
        string[] added = [.. actual.Except(approved)];
        Assert.True(removed.Length + added.Length == 0, $"""
            The public surface of the SDK has changed.
            {string.Join('\n', removed.Select(l => "- " + l).Concat(added.Select(l => "+ " + l)))}
            If that is meant, copy {received} over tests/Sdk.Tests/PublicSurface.txt and raise AssemblyVersion in
            sdk/Merge.Sdk.csproj, which is the contract's version: the minor part where lines were only added, the
            major part where one went or changed, for then plugins built before no longer load.
            (Before the first release the version stays 1.0.)
            """);
    }

    [Fact]
    public void Everything_public_is_documented()
    {
        var documentation = XDocument.Load(Path.Combine(AppContext.BaseDirectory, "Merge.Sdk.xml"));
        // A member's id up to its parameters: overloads share a fate.
        var documented = documentation.Descendants("member")
            .Where(m => m.Element("inheritdoc") is not null || !string.IsNullOrWhiteSpace(m.Element("summary")?.Value))
            .Select(m => m.Attribute("name")!.Value.Split('(')[0].Split("``")[0])
            .ToHashSet();
        var missing = _sdk.GetExportedTypes().SelectMany(Ids).Where(id => !documented.Contains(id)).Distinct();
        Assert.Empty(missing);
    }

    [Fact]
    public void The_sdk_names_nothing_outside_the_base_class_library()
    {
        var framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        Assert.All(_sdk.GetReferencedAssemblies(), reference =>
            Assert.True(File.Exists(Path.Combine(framework, reference.Name + ".dll")), $"{reference.Name} is foreign"));
    }

    private static IEnumerable<string> Ids(Type type)
    {
        var id = type.FullName!.Replace('+', '.');
        yield return "T:" + id;
        if (type.IsSubclassOf(typeof(Delegate)))
            yield break;
        // A record's constructor goes by the text of its parameters.
        var record = type.GetInterface("IEquatable`1") is not null;
        foreach (var member in PublicSurface.Members(type))
        {
            switch (member)
            {
                case ConstructorInfo constructor:
                    if (constructor.GetParameters().Length > 0 && !record)
                        yield return $"M:{id}.#ctor";
                    break;
                case MethodInfo:
                    yield return $"M:{id}.{member.Name}";
                    break;
                case PropertyInfo:
                    yield return $"P:{id}.{member.Name}";
                    break;
                default:
                    yield return $"F:{id}.{member.Name}";
                    break;
            }
        }
    }
}
