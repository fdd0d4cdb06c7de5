using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Merge.Checkpoints;
using Merge.Sdk;

namespace Host.Tests.Checkpoints;

public class SafetensorsLayoutTests
{
    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };

    [Fact]
    public void What_fits_is_one_file_without_an_index()
    {
        var layout = SafetensorsLayout.Of([Floats("a", 2), Floats("b", 2)], 16, Metadata);
        Assert.Equal(["model.safetensors"], layout.Files.Select(f => f.Name));
        Assert.Null(layout.Index);
        Assert.Equal(layout.Files[0].Header.Length + 16, layout.Size);
    }

    [Fact]
    public void Nothing_is_one_file_with_metadata_only()
    {
        var file = Assert.Single(SafetensorsLayout.Of([], 16, Metadata).Files);
        Assert.Equal("""{"__metadata__":{"format":"pt"}}""", Encoding.UTF8.GetString(file.Header.AsSpan(8)).TrimEnd());
    }

    [Fact]
    public void Shards_are_filled_in_order_and_a_larger_tensor_stands_alone()
    {
        var layout = SafetensorsLayout.Of(
            [Floats("z", 2), Floats("huge", 5), Floats("a", 2), Floats("m", 1), Floats("b", 4)], 16, Metadata);
        string[] names = [.. layout.Files.Select(f => f.Name)];
        Assert.Equal(4, names.Length);
        Assert.Equal(["model-00001-of-00004.safetensors", "model-00004-of-00004.safetensors"], [names[0], names[3]]);
        Assert.Equal(
            [("a", 1), ("b", 3), ("huge", 0), ("m", 2), ("z", 1)],
            layout.Placements.Select(p => (p.Key, p.Value.File)).Order());
        Assert.Equal(
            """
            {
              "metadata": {
                "total_size": 56
              },
              "weight_map": {
                "a": "model-00002-of-00004.safetensors",
                "b": "model-00004-of-00004.safetensors",
                "huge": "model-00001-of-00004.safetensors",
                "m": "model-00003-of-00004.safetensors",
                "z": "model-00002-of-00004.safetensors"
              }
            }

            """,
            Encoding.UTF8.GetString(layout.Index!));
    }

    [Fact]
    public void Shards_cover_every_tensor_once_within_the_limit() =>
        Prop.ForAll(Arb.From(RoundTripTests.Tensors()), Arb.From(Gen.Choose(1, 400)), (tensors, most) =>
        {
            var layout = SafetensorsLayout.Of(tensors, most, Metadata);
            Assert.Equal(tensors.Select(t => t.Name).ToHashSet(), layout.Placements.Keys.ToHashSet());
            for (var i = 0; i < layout.Files.Count; i++)
            {
                var placed = layout.Placements.Values.Where(p => p.File == i)
                    .OrderBy(p => p.Offset).ThenBy(p => p.Length);
                var end = (long)layout.Files[i].Header.Length;
                Assert.Equal(0, end % 8);
                foreach (var place in placed)
                {
                    Assert.Equal(end, place.Offset);
                    end += place.Length;
                }
                Assert.Equal(layout.Files[i].Size, end);
                Assert.True(end - layout.Files[i].Header.Length <= most || placed.Count() == 1);
            }
            if (layout.Index is null)
                return;
            var index = JsonNode.Parse(layout.Index)!;
            Assert.Equal(tensors.Sum(t => t.Length), (long)index["metadata"]!["total_size"]!);
            Assert.All(layout.Placements, p =>
                Assert.Equal(layout.Files[p.Value.File].Name, (string?)index["weight_map"]![p.Key]));
        }).Check(Fixed.Replay());

    private static OutputTensor Floats(string name, long count) => new(name, DType.F32, [count]);
}
